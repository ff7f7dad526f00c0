"""Public data sets by name: one file an adapter, loaded on use. An adapter turns a tree on disk into `Sample`s."""

from __future__ import annotations

from sfumato.registry import Registry

REGISTRY = Registry(
    "data set",
    {
        "celeb-df-v1": "detector.datasets.celeb_df:CelebDFv1",
        "celeb-df-v2": "detector.datasets.celeb_df:CelebDFv2",
        "csv": "detector.datasets.table:Table",
        "deeperforensics": "detector.datasets.deeper_forensics:DeeperForensics",
        "deepfakebench": "detector.datasets.deepfakebench:DeepfakeBench",
        "df40": "detector.datasets.df40:DF40",
        "dfdc": "detector.datasets.dfdc:DFDC",
        "dfdcp": "detector.datasets.dfdc_preview:DFDCPreview",
        "fakeavceleb": "detector.datasets.fake_av_celeb:FakeAVCeleb",
        "faceforensics": "detector.datasets.face_forensics:FaceForensics",
        "folder": "detector.datasets.folder:LabelledFolder",
        "forgerynet": "detector.datasets.forgery_net:ForgeryNet",
        "talkingheadbench": "detector.datasets.talking_head_bench:TalkingHeadBench",
        "wilddeepfake": "detector.datasets.wild_deepfake:WildDeepfake",
    },
)
