// Tests of TrajectoryPreparation
