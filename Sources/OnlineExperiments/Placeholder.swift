// OnlineExperiments: see ARCHITECTURE.md
