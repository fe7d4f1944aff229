// Tests of MultiTaskModels
