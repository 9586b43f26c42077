"""The Platform API, one resource a file: parse, ask a life cycle, format."""
