//! Report formats: terminal, HTML, JSON
