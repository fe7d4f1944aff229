// PolicyArtifacts: see ARCHITECTURE.md
