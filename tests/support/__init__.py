"""What several folders of tests share: a real platform, the real Heroku CLI, the schema as a referee."""
