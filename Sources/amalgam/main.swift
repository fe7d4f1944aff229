import AmalgamCommands
import Foundation

exit(await Amalgam.run(arguments: Array(CommandLine.arguments.dropFirst())))
