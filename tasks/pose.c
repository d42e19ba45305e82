#include "tasks/pose.h"

#include <math.h>

#define DEGREE (M_PI / 180)

/* By the element of the four that is largest, so that nothing is divided by next to
 * nothing (Shepperd's method). */
static void to_quaternion(double r[3][3], double q[4])
{
	static const int next[3] = {1, 2, 0};
	double trace = r[0][0] + r[1][1] + r[2][2], root;
	int i = 0, j, k;

	for (int axis = 1; axis < 3; axis++)
		if (r[axis][axis] > r[i][i])
			i = axis;
	if (trace >= r[i][i]) {
		root = sqrt(1 + trace);
		q[0] = root / 2;
		q[1] = (r[2][1] - r[1][2]) / (2 * root);
		q[2] = (r[0][2] - r[2][0]) / (2 * root);
		q[3] = (r[1][0] - r[0][1]) / (2 * root);
	} else {
		j = next[i];
		k = next[j];
		root = sqrt(1 + r[i][i] - r[j][j] - r[k][k]);
		q[1 + i] = root / 2;
		q[1 + j] = (r[j][i] + r[i][j]) / (2 * root);
		q[1 + k] = (r[k][i] + r[i][k]) / (2 * root);
		q[0] = (r[k][j] - r[j][k]) / (2 * root);
	}
	if (q[0] < 0)
		for (int n = 0; n < 4; n++)
			q[n] = -q[n];
}

void pose_at(const struct path_point *point, double radius, struct pose *pose)
{
	double theta = point->theta * DEGREE, fi = point->fi * DEGREE;
	const double rows[3][3] = {
		/* right = ahead x up; down is where theta grows; ahead is inwards */
		{-sin(fi), cos(fi), 0},
		{cos(theta) * cos(fi), cos(theta) * sin(fi), -sin(theta)},
		{-sin(theta) * cos(fi), -sin(theta) * sin(fi), -cos(theta)},
	};

	path_cartesian(point, radius, pose->centre);
	for (int i = 0; i < 3; i++) {
		pose->translation[i] = 0;
		for (int k = 0; k < 3; k++) {
			pose->rotation[i][k] = rows[i][k];
			pose->translation[i] -= rows[i][k] * pose->centre[k];
		}
	}
	to_quaternion(pose->rotation, pose->quaternion);
}
