import FusionMDP
import OnlineServing
import Testing
