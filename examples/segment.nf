/* Nextflow: a folder of images in chunks, so that the network is started once a chunk.
 *
 * usage: nextflow run examples/segment.nf --images 'images/*.tif' --out results */
nextflow.enable.dsl = 2

params.images = 'images/*.{tif,tiff,png,jpg}'
params.out = 'results'
params.chunk = 64

process segment {
    cpus 2
    publishDir params.out, mode: 'copy', pattern: '{labels,rois,geojson}/*'

    input:
    path images

    output:
    path 'cells.tsv', emit: tables
    path '{labels,rois,geojson}/*'

    script:
    """
    set -o pipefail
    tile -q -- ${images} | predict -q -t ${task.cpus} --keep-image |
        label -q -T cells.tsv -o labels/ --rois rois/ --geojson geojson/
    """
}

workflow {
    chunks = Channel.fromPath(params.images).collate(params.chunk as int)
    segment(chunks)
    segment.out.tables.collectFile(name: 'cells.tsv', storeDir: params.out, keepHeader: true, skip: 1)
}
