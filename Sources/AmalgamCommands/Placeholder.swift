// AmalgamCommands: see ARCHITECTURE.md
