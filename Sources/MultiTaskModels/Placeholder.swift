// MultiTaskModels: see ARCHITECTURE.md
