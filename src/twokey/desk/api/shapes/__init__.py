"""What goes in and out, as JSON: integers and text, no float, and no field that is not named."""

from twokey.desk.api.shapes.cases import *  # noqa: F403
from twokey.desk.api.shapes.common import *  # noqa: F403
from twokey.desk.api.shapes.ledger import *  # noqa: F403
from twokey.desk.api.shapes.parties import *  # noqa: F403
