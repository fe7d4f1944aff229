// Tests of EmbeddedAnalytics
