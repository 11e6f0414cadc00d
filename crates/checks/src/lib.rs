//! Controls: loader, runner, findings and verdicts
