/* QuPath: the cells of the open image as detections, with their measurements.
 *
 * Automate > Script editor, open this file, Run.  For all images of a project: Run for project.
 * What stands under "settings" is yours to change. */

// ---- settings ----
def prefix = ''               // of the programs: 'ms-' where they came from a Debian package
def folder = ''               // where they are, with a slash at its end; '' is where the shell looks
def weights = ''              // a network of your own; '' is the one that came along
def micrometersAPixel = 0.5   // of what the network sees, for slides; images without a scale as they are

// ---- the image ----
def imageData = getCurrentImageData()
if (imageData == null) {
    println 'no image is open'
    return
}
def server = imageData.getServer()
def uri = server.getURIs().find { it.getScheme() == 'file' }
if (uri == null) {
    println 'the image is no file on this computer'
    return
}
def image = new File(uri).getPath()
def scaled = server.getPixelCalibration().hasPixelSizeMicrons() && server.nResolutions() > 1

// ---- the pipe; names are handed over as words, so that none is read as a command ----
def geojson = File.createTempFile('cells', '.geojson')
def pipe = 'set -o pipefail; ' +
        '"$1"tile $5 -- "$2" | "$1"predict --keep-image ${4:+-m "$4"} | "$1"label --geojson "$3"'
def words = ['bash', '-c', pipe, 'qupath', folder + prefix, image, geojson.getPath(), weights,
             scaled ? '--mpp ' + micrometersAPixel : '']
println words.drop(4).join(' ')
def process = new ProcessBuilder(words).redirectErrorStream(true).start()
process.getInputStream().eachLine { println it }
if (process.waitFor() != 0) {
    println 'the pipe failed; its reason stands above'
    geojson.delete()
    return
}

// ---- the cells ----
clearDetections()
importObjectsFromFile(geojson.getPath())
geojson.delete()
fireHierarchyUpdate()
println getDetectionObjects().size() + ' cells'
