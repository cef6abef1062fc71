//! The command line and the composition root: arguments, configuration, which store and gateway, exit codes.
