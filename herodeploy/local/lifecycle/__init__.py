"""What happens over time: builds, releases, promotions, review apps, test runs."""
