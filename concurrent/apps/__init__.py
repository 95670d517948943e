"""The nodes, the command line, embedded clusters and the web pages."""
