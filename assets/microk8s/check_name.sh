# Says by what name a host calls itself, and ends with another status when it is not the name by which this is called, as `sh -c` gives it. Reads only.
own=$(hostname)
echo "it calls itself $own"
[ "$own" = "$0" ]
