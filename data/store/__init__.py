"""Every statement on a group of tables, one file a group: plain rows in and out, no decisions."""
