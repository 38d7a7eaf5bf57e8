# Turns the texts of this folder into one C file of strings, one a file, named after it: ctlogs.txt becomes
# data_text_ctlogs. Usage: awk -f text.awk ctlogs.txt anchors.txt disallow.txt
BEGIN {
	print "/* Made from verify/data/ by text.awk. */"
	print "#include \"verify/data_text.h\""
}
FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.txt$/, "", name)
	if (open)
		print ";"
	print ""
	print "const char data_text_" name "[] ="
	open = 1
}
{
	gsub(/\\/, "&&")
	gsub(/"/, "\\\"")
	print "\t\"" $0 "\\n\""
}
END {
	print ";"
}
