// Tests of AmalgamCommands
