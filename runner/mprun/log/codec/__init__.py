"""The lines of the log as text: all that writes or reads one knows its form from here."""
