//! Identity claims to assets, cranes, systems, zones and conduits
