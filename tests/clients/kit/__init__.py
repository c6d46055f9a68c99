"""What every client test needs: a place of its own, the agents' environment, a face to talk to."""
