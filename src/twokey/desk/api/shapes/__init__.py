"""What goes in and out, as JSON: integers and text, no float, and no field that is not named."""

from twokey.desk.api.shapes.breaches import *
from twokey.desk.api.shapes.cases import *
from twokey.desk.api.shapes.common import *
from twokey.desk.api.shapes.ledger import *
from twokey.desk.api.shapes.parties import *
