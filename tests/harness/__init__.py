"""What the tests stand on: a broker, patience without sleeps, processes and signals."""
