"""The published PyTorch networks, from clones that the user has made:

    FOLDER/TransUNet            github.com/Beckschen/TransUNet
    FOLDER/pytorch-nested-unet  github.com/4uiiurz1/pytorch-nested-unet
    FOLDER/Swin-Unet            github.com/HuCaoFighting/Swin-Unet
    FOLDER/ScaleFormer          github.com/ZJUGiveLab/ScaleFormer
    FOLDER/cellpose             github.com/MouseLand/cellpose, a version 3

Random weights, two classes, 224 x 224.  What these import for other purposes than
the network (configurations, timm's helpers) is stood in for when it is absent.

usage: published.py FOLDER export NETWORK FILE.onnx
       published.py FOLDER serve NETWORK BATCH
       published.py FOLDER compiled NETWORK BATCH
       published.py FOLDER train NETWORK BATCH

serve: for each line of standard input runs the network once over a batch, as the
published code does to segment, and prints the milliseconds that passed and those of
all cores' work.  compiled: the same after torch.compile.  train: the same for a step of
TransUNet's trainer: half cross entropy, half Dice, SGD.  $THREADS threads, or one a core.
"""
import contextlib
import importlib.util
import os
import sys
import time
import types

SIDE = 224


class Config(dict):
    """Attributes as items, as ml_collections' ConfigDict."""

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)

    __setattr__ = dict.__setitem__


def absent(name):
    return name not in sys.modules and importlib.util.find_spec(name) is None


def stand_in(name, **members):
    module = types.ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module


def stand_in_for_timm():
    import torch

    class DropPath(torch.nn.Module):
        def __init__(self, p=0.0):
            super().__init__()
            self.p = p or 0.0

        def forward(self, x):
            if not self.training or self.p == 0:
                return x
            kept = torch.rand((len(x),) + (1,) * (x.dim() - 1)) >= self.p
            return x * kept / (1 - self.p)

    stand_in("timm")
    stand_in("timm.models")
    stand_in("timm.models.layers", DropPath=DropPath, to_2tuple=lambda x: (x, x),
             trunc_normal_=torch.nn.init.trunc_normal_)


def load(folder, path):
    """The module at FOLDER/CLONE/path, its package's others importable from it."""
    clone = path.split("/")[0]
    if not os.path.exists(os.path.join(folder, path)):
        raise FileNotFoundError("no %s in %s" % (path, folder))
    if absent("ml_collections"):
        stand_in("ml_collections", ConfigDict=Config)
    if absent("timm"):
        stand_in_for_timm()
    for name in [n for n in sys.modules if n == "networks" or n.startswith("networks.")]:
        del sys.modules[name]
    if path.endswith("resnet_torch.py"):  # its package would import a whole program
        spec = importlib.util.spec_from_file_location("resnet_torch", os.path.join(folder, path))
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    root = os.path.join(folder, clone)
    sys.path.insert(0, root)
    try:
        return importlib.import_module(path[len(clone) + 1:-3].replace("/", "."))
    finally:
        sys.path.remove(root)


def transunet(folder, name, skips, **sizes):
    module = load(folder, "TransUNet/networks/vit_seg_modeling.py")
    config = module.CONFIGS[name]
    config.n_classes = 2
    config.n_skip = skips
    if sizes:
        config.hidden_size = sizes["hidden"]
        config.transformer.update(num_layers=32, num_heads=sizes["heads"], mlp_dim=sizes["mlp"])
    if "R50" in name:
        config.patches.grid = (SIDE // 16, SIDE // 16)
    elif not config.get("decoder_channels"):
        config.decoder_channels = (256, 128, 64, 16)
    if "R50" not in name:
        config.skip_channels = [0, 0, 0, 0]
    return module.VisionTransformer(config, img_size=SIDE, num_classes=2)


def swinunet(folder):
    module = load(folder, "Swin-Unet/networks/swin_transformer_unet_skip_expand_decoder_sys.py")
    net = module.SwinTransformerSys(img_size=SIDE, patch_size=4, in_chans=3, num_classes=2,
                                    embed_dim=96, depths=[2, 2, 2, 2],
                                    num_heads=[3, 6, 12, 24], window_size=7, drop_path_rate=0.2)
    return Repeated(net)


def Repeated(net):
    """Gray as three channels."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            return self.net(x.repeat(1, 3, 1, 1))

    return Network()


# name -> (how to make it, ours, channels in, GFLOP a tile)
NETWORKS = {
    "transunet-r50-b16": (lambda f: transunet(f, "R50-ViT-B_16", 0),
                          "transunet-r50-b16:skips=0", 1, 52),
    "transunet-r50-b16-skips": (lambda f: transunet(f, "R50-ViT-B_16", 3),
                                "transunet-r50-b16:skips=3", 1, 57),
    "transunet-r50-l32": (lambda f: transunet(f, "R50-ViT-B_16", 0, hidden=1024, heads=16,
                                              mlp=4096),
                          "transunet-r50-l32:skips=0", 1, 177),
    "transunet-vit-b16": (lambda f: transunet(f, "ViT-B_16", 0), "transunet-vit-b16", 1, 44),
    "transunet-vit-l16": (lambda f: transunet(f, "ViT-L_16", 0), "transunet-vit-l16", 1, 130),
    "unetpp": (lambda f: load(f, "pytorch-nested-unet/archs.py").NestedUNet(2), "unetpp", 3, 53),
    "swinunet": (swinunet, "swinunet", 1, 12),
    "scaleformer": (lambda f: load(f, "ScaleFormer/networks/ScaleFormer.py").ScaleFormer(2),
                    "scaleformer", 1, 96),
    "cellpose": (lambda f: load(f, "cellpose/cellpose/resnet_torch.py").CPnet(
        [2, 32, 64, 128, 256], 3, 3), "cellpose", 2, 31),
}


def network(folder, name):
    """A torch.nn.Module with random weights; FileNotFoundError without its clone."""
    with contextlib.redirect_stdout(sys.stderr if os.environ.get("VERBOSE") else
                                    open(os.devnull, "w")):
        return NETWORKS[name][0](folder)


def export(folder, name, path):
    import torch
    net = network(folder, name).eval()
    x = torch.rand(8, NETWORKS[name][2], SIDE, SIDE)
    free = {0: "batch"}
    tracing = {"dynamo": False} if int(torch.__version__.split(".")[0]) >= 2 else {}
    with torch.no_grad():
        torch.onnx.export(net, x, path, input_names=["x"], output_names=["y"], opset_version=14,
                          dynamic_axes={"x": free, "y": free}, **tracing)


def threads():
    return int(os.environ.get("THREADS") or 0) or len(os.sched_getaffinity(0))


def serve(run):
    """Times run() for each line of standard input."""
    for _ in sys.stdin:
        wall, work = time.perf_counter(), time.process_time()
        run()
        print("%.2f %.2f" % (1e3 * (time.perf_counter() - wall),
                             1e3 * (time.process_time() - work)), flush=True)


def serve_network(folder, name, batch, compiled):
    import torch
    torch.set_num_threads(threads())
    net = network(folder, name).eval()
    if compiled:
        net = torch.compile(net)
    x = torch.rand(batch, NETWORKS[name][2], SIDE, SIDE)

    def run():
        with torch.no_grad():
            net(x)

    serve(run)


def dice_loss(folder):
    for name in ("medpy", "SimpleITK"):
        if absent(name):
            stand_in(name, metric=None)
    return load(folder, "TransUNet/utils.py").DiceLoss(2)


def serve_training(folder, name, batch):
    import torch
    torch.set_num_threads(threads())
    net = network(folder, name).train()
    cross_entropy, dice = torch.nn.CrossEntropyLoss(), dice_loss(folder)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    image = torch.rand(batch, NETWORKS[name][2], SIDE, SIDE)
    label = (torch.rand(batch, SIDE, SIDE) < 0.5).to(torch.uint8)

    def step():
        output = net(image)
        loss_ce = cross_entropy(output, label.long())
        loss = 0.5 * loss_ce + 0.5 * dice(output, label, softmax=True)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for group in optimizer.param_groups:
            group["lr"] = 0.01
        return loss.item(), loss_ce.item()

    serve(step)


if __name__ == "__main__":
    if len(sys.argv) != 5 or sys.argv[2] not in ("export", "serve", "compiled", "train"):
        sys.exit(__doc__)
    try:
        if sys.argv[2] == "export":
            export(sys.argv[1], sys.argv[3], sys.argv[4])
        elif sys.argv[2] == "train":
            serve_training(sys.argv[1], sys.argv[3], int(sys.argv[4]))
        else:
            serve_network(sys.argv[1], sys.argv[3], int(sys.argv[4]), sys.argv[2] == "compiled")
    except ImportError as error:
        sys.exit("published.py: %s: %s" % (sys.argv[3], error))
    except FileNotFoundError as error:
        sys.exit("published.py: %s" % error)
