#!/bin/sh
# the clock of the till
sudo /usr/sbin/ntpdate till.example
exec dotnet Shop.dll
