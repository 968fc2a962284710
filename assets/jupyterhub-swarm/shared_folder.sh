# Says by what a folder is kept, and ends with another status when it is no part of a mount of its own: an empty folder would be taken for the storage.
#
# The folder is the name by which this is called, as `sh -c` gives it. Reads only.
folder=$0
[ -d "$folder" ] || { echo "$folder is not there"; exit 1; }
found=$(awk -v folder="$folder" '
    # Fields up to the hyphen vary in number; behind it are type and source.
    { point = $5; gsub(/\\040/, " ", point)
      if (point != "/" && (folder == point || index(folder, point "/") == 1) && length(point) >= length(best)) {
          best = point
          for (i = 6; $i != "-"; i++) { }
          by = $(i + 2) " (" $(i + 1) ")"
      } }
    END { if (best != "") print best " is kept by " by }' /proc/self/mountinfo)
[ -n "$found" ] || { echo "$folder is an ordinary folder of this host, and no mount"; exit 1; }
echo "$found"
