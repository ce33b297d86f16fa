"""The local steps of a rank's learners: the hot loop, and what learners carry between rounds."""
