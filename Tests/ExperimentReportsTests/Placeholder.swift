// Tests of ExperimentReports
