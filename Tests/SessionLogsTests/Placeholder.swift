// Tests of SessionLogs
