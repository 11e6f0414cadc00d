"""The rule sets that the lab's firewalls load. What the firewall then reports becomes a document.

The rules follow the conduits of the plan, but end in the rule that somebody added during commissioning
and never took out. It is why every wrong flow of the scenario gets through.
"""

TERMINAL = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -s 10.20.0.20/32 -d 10.30.0.0/16 -p tcp -m multiport --dports 102,502,44818 -m comment --comment "CMS reads the cranes" -j ACCEPT
-A FORWARD -s 10.30.0.0/16 -d 10.20.0.20/32 -p udp -m udp --dport 10110 -m comment --comment "crane positions" -j ACCEPT
-A FORWARD -d 10.40.0.53/32 -p udp -m multiport --dports 53,123 -m comment --comment "names and time" -j ACCEPT
-A FORWARD -s 10.40.0.53/32 -p udp -m udp --dport 161 -m comment --comment "network management" -j ACCEPT
-A FORWARD -s 10.40.0.20/32 -d 10.30.0.0/16 -p tcp -m tcp --dport 22 -m comment --comment "jump host" -j ACCEPT
-A FORWARD -s 10.50.0.0/24 -d 10.20.0.10/32 -p tcp -m tcp --dport 443 -m comment --comment "TOS web" -j ACCEPT
-A FORWARD -s 10.20.0.10/32 -d 10.50.0.5/32 -p tcp -m tcp --dport 21 -m comment --comment "EDI" -j ACCEPT
-A FORWARD -d 10.40.0.10/32 -p udp -m udp --dport 1194 -m comment --comment "vendor VPN" -j ACCEPT
-A FORWARD -m comment --comment "TEMP commissioning, remove" -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 203.0.113.254/32 -p udp -m udp --dport 1194 -j DNAT --to-destination 10.40.0.10:1194
-A POSTROUTING -o eth6 -j MASQUERADE
COMMIT
"""

# A second, tidy box: its document must give no finding.
VPN_GATEWAY = """*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p udp -m udp --dport 1194 -j ACCEPT
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -d 10.40.0.20/32 -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""

# The modem's own: nobody at the terminal has this file, so it is loaded but not written as a document.
MODEM = """*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 203.0.113.253/32 -p tcp -m tcp --dport 5900 -j DNAT --to-destination 10.30.3.20:5900
-A POSTROUTING -o eth1 -j MASQUERADE
COMMIT
"""
