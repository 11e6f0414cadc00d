#!/bin/sh
# What udhcpc runs when it gets a lease: only the namespace's own interface is touched.
case "$1" in
bound | renew)
	ip addr replace "$ip/${mask:-24}" dev "$interface"
	for gateway in $router; do
		ip route replace default via "$gateway" dev "$interface"
		break
	done
	;;
esac
