// Tests of PolicyArtifacts
