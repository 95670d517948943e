"""What a part is: components, configuration, environments and errors."""
