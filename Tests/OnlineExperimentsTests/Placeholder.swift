// Tests of OnlineExperiments
