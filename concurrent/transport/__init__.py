"""How bytes move: messages, sessions, carriers and the loop."""
