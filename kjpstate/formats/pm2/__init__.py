"""What kjpstate knows about PM2: its probe, keys, restart policy, health and
ecosystem file. Pure."""
