// TrajectoryPreparation: see ARCHITECTURE.md
