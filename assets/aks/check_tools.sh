# Says whether the tools by which a cluster of Azure is looked after are there. Reads only.
PATH=$PATH:/snap/bin
missing=
for tool in az kubectl helm; do
    command -v "$tool" > /dev/null || missing="$missing $tool"
done
[ -z "$missing" ] || { echo "there is no$missing"; exit 1; }
echo "az, kubectl and helm are there"
