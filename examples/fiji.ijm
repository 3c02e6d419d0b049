// Fiji: the cells of the image in front, as regions of interest in the ROI Manager.
//
// Plugins > Macros > Run..., or drag this file onto Fiji's window and press Run.  Of a stack the
// slice that is shown.  Linux and macOS, as it asks a shell to run the pipe.

prefix = "";   // of the programs: "ms-" where they came from a Debian package
folder = "";   // where they are, with a slash at its end; "" is where the shell looks
weights = "";  // a network of your own; "" is the one that came along

if (nImages == 0)
    exit("Open an image first.");
front = getImageID();
work = getDirectory("temp") + "morphoseg-" + d2s(getTime(), 0) + File.separator;
File.makeDirectory(work);
picture = work + "image.tif";
zip = work + "cells.zip";

// A copy is saved, so that the image keeps its name and its changes.
run("Select None");
run("Duplicate...", "title=[cells of]");
saveAs("Tiff", picture);
close();
selectImage(front);

// Names are handed over as words, so that none is read as a command.
pipe = "set -o pipefail; { \"$1\"tile -- \"$2\" | \"$1\"predict ${4:+-m \"$4\"} | \"$1\"label --rois \"$3\"; } 2>&1; echo \"status $?\"";
said = exec("bash", "-c", pipe, "fiji", folder + prefix, picture, zip, weights);
deleted = File.delete(picture);
if (indexOf(said, "status 0") < 0) {
    deleted = File.delete(work);
    exit("The pipe failed:\n" + said);
}

roiManager("reset");
roiManager("open", zip);
roiManager("show all");
deleted = File.delete(zip);
deleted = File.delete(work);
showStatus(roiManager("count") + " cells");
