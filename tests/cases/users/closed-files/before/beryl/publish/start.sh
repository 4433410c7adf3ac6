#!/bin/sh
exec dotnet Beryl.dll
