"""The WeChat platform over the wire, and a loopback sandbox of it."""
