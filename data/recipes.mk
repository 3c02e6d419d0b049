# The real data of the paper, and published weights.  data/sources.md says where all of
# it comes from, under which license, how large it is, and how it is laid out here:
#     DATA/nt2/{images,masks,unannotated}        DATA/weights/*
#     DATA/{bloodcell,livecell}/{train,test}/{images,masks}
# Downloads go on where they stopped; on a machine without network put the archives
# into DATA/downloads by hand.  Each recipe ends with the command that comes next.

DATA ?= data/cache
DOWNLOADS = $(DATA)/downloads
FETCH = data/fetch
UNPACK = bsdtar -xf $(1) -C $(2) # libarchive's, for any kind of archive
SHELL := /bin/bash
.SHELLFLAGS := -e -o pipefail -c
.ONESHELL:
BIN  ?= build/bin
export PATH := $(abspath $(BIN)):$(PATH)

# What to type when a recipe is done.
ON   = SCALE=paper$(if $(filter-out data/cache,$(DATA)), DATA=$(DATA))
NEXT = @echo "$@: ready in '$<'; next: make $(1) $(ON), with DEVICE=cuda where there is a GPU"

.PHONY: data-nt2 data-bloodcell data-livecell data-weights
data-nt2: $(DATA)/nt2
	$(call NEXT,table1)
data-bloodcell: $(DATA)/bloodcell
	$(call NEXT,table4)
data-livecell: $(DATA)/livecell
	$(call NEXT,table4)

# ---- NT2: images and outlines, which become instance masks ----

FIGSHARE = https://ndownloader.figshare.com/files

# An outline is {"points": [[x, y], ...]}; rasterize wants LabelMe's shapes.
LABELME = {version: "5", flags: {}, imagePath: "", imageData: null, \
           shapes: map({label: "cell", shape_type: "polygon", points: .points})}

$(DATA)/nt2:
	@$(FETCH) $(FIGSHARE)/45654198 $(DOWNLOADS)/train_dataset.zip
	$(FETCH) $(FIGSHARE)/45654207 $(DOWNLOADS)/Training_ROIs_json.zip
	rm -rf $@.tmp && mkdir -p $@.tmp/{raw,images,masks,unannotated}
	$(call UNPACK,$(DOWNLOADS)/train_dataset.zip,$@.tmp/raw)
	$(call UNPACK,$(DOWNLOADS)/Training_ROIs_json.zip,$@.tmp/raw)
	if [ -e $(DOWNLOADS)/test_dataset.zip ]; then
	    $(call UNPACK,$(DOWNLOADS)/test_dataset.zip,$@.tmp/raw)
	fi
	find $@.tmp/raw -name '*_ROI.json' | sort | while read -r outlines; do
	    stem=$$(basename "$$outlines" _ROI.json)
	    image=$$(find $@.tmp/raw \( -name "$$stem.tif" -o -name "$$stem.MP.tif" \) -print -quit)
	    [ -n "$$image" ] || { echo "data-nt2: no image for '$$outlines'" >&2; continue; }
	    jq '$(LABELME)' "$$outlines" >$@.tmp/labelme.json
	    mv "$$image" "$@.tmp/images/$$stem.tif"
	    rasterize -q -f tiff --like "$@.tmp/images/$$stem.tif" -o "$@.tmp/masks/$$stem.tif" $@.tmp/labelme.json
	done
	[ -n "$$(ls $@.tmp/masks)" ] || { echo "data-nt2: no outlines in '$(DOWNLOADS)/Training_ROIs_json.zip'" >&2; exit 65; }
	# Images that nobody annotated: for figure 4.
	find $@.tmp/raw -name '*.tif' -exec mv -t $@.tmp/unannotated {} +
	rm -r $@.tmp/raw $@.tmp/labelme.json
	mv $@.tmp $@

# ---- blood cells: BBBC041Seg, which Kaggle gives to registered users only ----

$(DATA)/bloodcell:
	@$(FETCH) by-hand:https://www.kaggle.com/datasets/jeetblahiri/bccd-dataset-with-mask $(DOWNLOADS)/bccd-dataset-with-mask.zip
	rm -rf $@.tmp && mkdir -p $@.tmp/raw
	$(call UNPACK,$(DOWNLOADS)/bccd-dataset-with-mask.zip,$@.tmp/raw)
	for part in train test; do
	    mkdir -p $@.tmp/$$part
	    mv "$$(find $@.tmp/raw -type d -path "*/$$part/original" -print -quit)" $@.tmp/$$part/images
	    mv "$$(find $@.tmp/raw -type d -path "*/$$part/mask" -print -quit)" $@.tmp/$$part/masks
	done
	rm -r $@.tmp/raw
	mv $@.tmp $@

# ---- LIVECell: images, and COCO annotations for each part ----

S3 = https://livecell-dataset.s3.eu-central-1.amazonaws.com/LIVECell_dataset_2021

$(DATA)/livecell:
	@$(FETCH) $(S3)/images.zip $(DOWNLOADS)/livecell_images.zip
	for part in train test; do
	    $(FETCH) $(S3)/annotations/LIVECell/livecell_coco_$$part.json $(DOWNLOADS)/livecell_coco_$$part.json
	done
	rm -rf $@.tmp && mkdir -p $@.tmp/raw
	$(call UNPACK,$(DOWNLOADS)/livecell_images.zip,$@.tmp/raw)
	for part in train test; do
	    mkdir -p $@.tmp/$$part/{images,masks}
	    rasterize -q -m binary -o $@.tmp/$$part/masks $(DOWNLOADS)/livecell_coco_$$part.json
	    for mask in $@.tmp/$$part/masks/*; do
	        stem=$$(basename "$${mask%.*}")
	        image=$$(find $@.tmp/raw -name "$$stem.tif" -print -quit)
	        if [ -n "$$image" ]; then mv "$$image" $@.tmp/$$part/images; else rm "$$mask"; fi
	    done
	done
	rm -r $@.tmp/raw
	mv $@.tmp $@

# ---- published weights ----

VIT  = https://storage.googleapis.com/vit_models/imagenet21k
SWIN = https://github.com/SwinTransformer/storage/releases/download/v1.0.0

data-weights:
	@for name in ViT-B_16 ViT-L_16 R50+ViT-B_16; do
	    $(FETCH) $(VIT)/$${name/+/%2B}.npz $(DATA)/weights/$$name.npz
	done
	$(FETCH) $(SWIN)/swin_tiny_patch4_window7_224.pth $(DATA)/weights/swin_tiny_patch4_window7_224.pth
	$(FETCH) https://www.cellpose.org/models/cyto2torch_0 $(DATA)/weights/cyto2
	$(FETCH) https://www.cellpose.org/models/cyto3 $(DATA)/weights/cyto3
	echo "$@: ready in '$(DATA)/weights'; next: make tables $(ON), with DEVICE=cuda where there is a GPU"
