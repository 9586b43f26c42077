"""The wire conventions of the Platform API: errors, sign-in, ranges, replies, output streams."""
