// SessionLogs: see ARCHITECTURE.md
