// ExperimentReports: see ARCHITECTURE.md
