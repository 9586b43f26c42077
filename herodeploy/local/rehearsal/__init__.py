"""What only tests and rehearsals need: faults on demand, the log of requests, and the API that commands them."""
