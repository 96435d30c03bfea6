"""The edges: everything that touches a socket, a clock, a process, a file or a device."""
