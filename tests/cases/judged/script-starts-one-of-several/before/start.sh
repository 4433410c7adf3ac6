#!/bin/bash
sleep 30
exec dotnet Shop.dll
