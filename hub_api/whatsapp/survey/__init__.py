"""The survey by template, for conversations that ended after the 24 h window had closed."""
