"""QGIS as a client, for the Python of the system: prints what it sees as one JSON object.

It saves a connection in the settings of whoever HOME belongs to.

Arguments: address of ``/ogc``, key, collection, west, south, east, north in degrees, EPSG code.
"""

import json
import os
import sys

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from qgis.core import (
    Qgis,
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsFeatureRequest,
    QgsProject,
    QgsRectangle,
    QgsSettings,
    QgsVectorLayer,
)

# Items belong to Python and to QGIS: what one of them frees the other still reads.
_HELD = []


def listed(address: str, key: str) -> list[str]:
    """Names below a saved connection, as the browser panel shows them."""
    settings = QgsSettings()
    settings.setValue("qgis/connections-wfs/wuqu/url", address)
    settings.setValue("qgis/connections-wfs/wuqu/version", "OGC_API_FEATURES")
    settings.setValue("qgis/WFS/wuqu/username", "qgis")
    settings.setValue("qgis/WFS/wuqu/password", key)
    for provider in QgsApplication.dataItemProviderRegistry().providers():
        if provider.name() == "WFS":
            root = provider.createDataItem("", None)
            _HELD.append(root)
            for item in root.createChildren():
                _HELD.append(item)
                if item.name() == "wuqu":
                    item.populate(True)
                    return [child.name() for child in item.children()]
    return []


def main(address: str, key: str, collection: str, *numbers: str) -> None:
    """Read one collection whole and within a box, and move it to another CRS."""
    application = QgsApplication([], False)
    application.initQgis()
    collections = listed(address, key)
    source = (
        f"url='{address}' typename='{collection}' pageSize='1000' username='qgis' password='{key}'"
    )
    layer = QgsVectorLayer(source, collection, "OAPIF")
    box = QgsRectangle(*map(float, numbers[:4]))
    target = QgsCoordinateReferenceSystem(f"EPSG:{numbers[4]}")
    moving = QgsCoordinateTransform(layer.crs(), target, QgsProject.instance())
    features = {}
    for feature in layer.getFeatures():
        geometry = feature.geometry()
        geometry.transform(moving)
        corner = geometry.boundingBox()
        features[feature["id"]] = {
            "name": feature["name"],
            "bounds": [corner.xMinimum(), corner.yMinimum(), corner.xMaximum(), corner.yMaximum()],
        }
    within = [f["id"] for f in layer.getFeatures(QgsFeatureRequest(box))]
    told = {
        "version": Qgis.QGIS_VERSION,
        "valid": layer.isValid(),
        "collections": collections,
        "features": features,
        "within": within,
    }
    print(json.dumps(told))
    # Without this the program ends with an error of Qt, after all is said.
    sys.stdout.flush()
    os._exit(0)


main(*sys.argv[1:])
